/**
 * Return whether the page's URL turns a fault on, as in `?fault=NAME`.
 *
 * The functions read flags from Firestore; the security rules let no page read those.
 */
export function isOn(name: string, search: string = location.search): boolean {
  return new URLSearchParams(search).getAll("fault").includes(name);
}
