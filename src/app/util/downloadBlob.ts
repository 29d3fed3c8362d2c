/** Downloads bytes under a file name. */
export function downloadBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // Firefox and Safari read the URL after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 30_000);
}
