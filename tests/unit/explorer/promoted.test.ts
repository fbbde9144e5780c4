import { describe, expect, test } from "vitest";
import { stateOf, subjectOf } from "../../../observatory/ui/src/promoted";

describe("promoted attributes of a trace", () => {
  const trace = { trace_id: "0af7651916cd43dd8448eb211c80319c", root: "POST /orders" };

  test("give the subject's label, its value and its state", () => {
    expect(subjectOf({ ...trace, order_id: "7f3a" })).toEqual({ label: "Order", value: "7f3a" });
    expect(subjectOf({ ...trace, shipping_job_id: "12" })).toEqual({
      label: "Shipping job",
      value: "12",
    });
    expect(stateOf({ ...trace, job_state: "done" })).toBe("done");
  });

  test("may be unset or absent", () => {
    expect(subjectOf(trace)).toBeNull();
    expect(stateOf(trace)).toBeNull();
    expect(subjectOf({ ...trace, order_id: null })).toBeNull();
    expect(stateOf({ ...trace, order_state: null })).toBeNull();
  });
});
