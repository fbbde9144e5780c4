/** What each fault of the page does in place of the function that it replaces. */
import { expect, test, vi } from "vitest";
import { watch } from "../../../frontend/src/backend/liveQuery";
import { watchOrders } from "../../../frontend/src/faults/denialLooksEmpty";
import { takeUpRole } from "../../../frontend/src/faults/goesOnWithTheOldToken";

// Both open Firebase when they are imported.
vi.mock("../../../frontend/src/backend/orders", () => ({ ORDERS_LIMIT: 50, readOrder: () => {} }));
vi.mock("../../../frontend/src/backend/liveQuery", () => ({ watch: vi.fn(() => () => {}) }));

test("denial-looks-empty queries every buyer's orders and shows the denial as an empty list", () => {
  const report = vi.fn();
  const fail = vi.fn();
  watchOrders("a-buyer", report, fail);
  const [listQuery, , , onError] = vi.mocked(watch).mock.lastCall ?? [];
  expect(listQuery?.collection).toBe("orders");
  expect(listQuery?.where).toBeUndefined();
  onError?.(new Error("permission-denied"));
  expect(report).toHaveBeenCalledWith({ items: [], connected: true });
  expect(fail).not.toHaveBeenCalled();
});

test("goes-on-with-the-old-token shows the role's view and fetches no token", async () => {
  const report = vi.fn();
  const user = { email: "somebody@example.org", getIdToken: vi.fn() };
  await takeUpRole({ user: user as never, role: "organiser", report });
  expect(report).toHaveBeenCalledWith({ email: user.email, isOrganiser: true, isWatched: true });
  expect(user.getIdToken).not.toHaveBeenCalled();
});
