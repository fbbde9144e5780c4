// Before the first paint, so that the page doesn't flash in the other colours.
try {
  document.documentElement.dataset.theme = localStorage.getItem("observatory.theme") ?? "system";
} catch {
  // Refused, as in some private windows: the system's.
}
