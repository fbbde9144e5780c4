/** A share in whole per cent; a little is not nothing, and almost all is not all. */
export function share(of: number): string {
  if (of > 0 && of < 0.01) return "< 1 %";
  if (of < 1 && of > 0.99) return "> 99 %";
  return `${Math.round(of * 100)} %`;
}
