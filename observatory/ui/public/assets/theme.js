// Runs before the first paint, so that the page doesn't flash in the wrong colour scheme.
try {
  document.documentElement.dataset.theme = localStorage.getItem("observatory.theme") ?? "system";
} catch {
  // Storage is refused, as in some private windows: use the system's colour scheme.
}
