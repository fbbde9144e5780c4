import { settings } from "../settings";

/**
 * Whether a bug on purpose is on: its name is in the page's address, as in `?fault=NAME`.
 *
 * The security rules let no page read the flags that the functions go by. Off the emulators no
 * address turns anything on.
 */
export function isOn(name: string, search: string = location.search): boolean {
  if (settings.firestoreEmulator === null) return false;
  return new URLSearchParams(search).getAll("fault").includes(name);
}
