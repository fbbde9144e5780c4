import { useEffect, useRef, useState } from "preact/hooks";
import { CloseButton, Dialog } from "../../components/Dialog";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import {
  EMPTY_FORM,
  type FormErrors,
  type NewShowField,
  type NewShowForm,
  readForm,
} from "../../model/newShow";
import { describeOrganiserError } from "../../model/organiserError";
import { tracing } from "../../tracing/load";
import { backend } from "./backend";
import { createShow } from "./createShow";
import { FormField } from "./FormField";

interface Props {
  online: boolean;
  /** The new show's place among the shows. */
  rank: number;
  onCreated: (showId: string) => void;
  onClose: () => void;
}

/** The form that puts a show on sale. Modal; closes itself once the show is there. */
export function NewShowDialog({ online, rank, onCreated, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const [values, setValues] = useState<NewShowForm>(EMPTY_FORM);
  const [errors, setErrors] = useState<FormErrors>({});
  const { progress, run } = useAction("The show could not be created");
  const again = useRef<HTMLButtonElement>(null);
  const busy = progress.status === "busy";
  useEffect(() => {
    // The button lost the focus when it was disabled during the request.
    if (progress.status === "failed") again.current?.focus();
  }, [progress]);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy || !online) return;
    const { show, errors: found } = readForm(values, new Date(), begunIn(form.current));
    setErrors(found ?? {});
    if (!show) {
      const first = ORDER.find((field) => found[field]);
      form.current?.querySelector<HTMLElement>(`#show-${first}`)?.focus();
      return;
    }
    await run(async (traced) => {
      const [loaded, trace] = await Promise.all([backend, tracing()]);
      const started = createShow(show, rank, loaded, trace);
      traced(started.traceId);
      await started.created;
      // The dialog is closed first, because closing moves the focus, which the show then takes.
      dialog.current?.close();
      onCreated(started.showId);
    });
  };

  const field = (name: NewShowField) => ({
    id: `show-${name}`,
    value: values[name],
    error: errors[name],
    disabled: busy,
    change(value: string) {
      setValues((before) => ({ ...before, [name]: value }));
      setErrors((before) => ({
        ...before,
        [name]: undefined,
        // The sale's end may have been invalid only because of the old start.
        ...(name === "startsAt" && { saleEndsAt: undefined }),
      }));
    },
  });

  return (
    <Dialog dialog={dialog} labelledBy="new-show-title" onClose={onClose}>
      <form ref={form} class="form" onSubmit={submit} noValidate>
        <div class="sheet-head">
          <h2 id="new-show-title">New show</h2>
          <CloseButton dialog={dialog} />
        </div>
        <FormField {...field("title")} label="Title" />
        <div class="side-by-side">
          <FormField {...field("venue")} label="Venue" />
          <FormField {...field("city")} label="City" />
        </div>
        <FormField {...field("blurb")} label="In a sentence" long />
        <FormField {...field("startsAt")} label="Day and time" type="datetime-local" />
        <FormField
          {...field("saleEndsAt")}
          label="Sale ends (optional)"
          type="datetime-local"
          hint="If empty, the show is on sale until its last seat is sold."
        />
        <div class="side-by-side">
          <FormField {...field("price")} label="Price in €" inputMode="decimal" />
          <FormField {...field("seats")} label="Seats" inputMode="numeric" />
        </div>
        {progress.status === "failed" && (
          <ErrorNotice
            error={describeOrganiserError("create", progress.error)}
            traceId={progress.traceId}
          />
        )}
        {busy && progress.slow && (
          <Notice title="Still waiting for the box office.">
            <p>This page keeps trying. Do not create it again: that would make a second show.</p>
          </Notice>
        )}
        <div class="sheet-foot">
          {!online && (
            <p class="soft" id="why-not-create">
              You are offline. Create the show once you are online.
            </p>
          )}
          <button
            ref={again}
            type="submit"
            class="button primary wide"
            disabled={busy || !online}
            aria-describedby={online ? undefined : "why-not-create"}
          >
            {busy ? "Putting it on sale…" : "Put it on sale"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Returns the fields with incomplete input, such as a day without a time. */
function begunIn(form: HTMLFormElement | null): NewShowField[] {
  return ORDER.filter((name) => {
    const input = form?.querySelector<HTMLInputElement>(`#show-${name}`);
    return input?.validity.badInput;
  });
}

/** The fields in their order on screen; the first with an error gets the focus. */
const ORDER: readonly NewShowField[] = [
  "title",
  "venue",
  "city",
  "blurb",
  "startsAt",
  "saleEndsAt",
  "price",
  "seats",
];
