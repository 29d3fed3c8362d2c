/**
 * The page's URL, which the addresses of built-in files are relative to. A worker cannot derive it, because its script is
 * in a different folder in a build than in development. The page sends it in the first message of a connection (rpc.ts).
 */
let told: string | null = null;

export function tellPageUrl(url: string): void {
  told = url;
}

export function pageUrl(): string {
  return told ?? globalThis.document?.baseURI ?? globalThis.location.href;
}
