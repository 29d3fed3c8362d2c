/**
 * The page's own address, which built-in files are served beside. A worker cannot derive it: its script lies in another
 * folder after a build than while developing. The page tells it with the first message of a connection (rpc.ts).
 */
let told: string | null = null;

export function tellPageUrl(url: string): void {
  told = url;
}

export function pageUrl(): string {
  return told ?? globalThis.document?.baseURI ?? globalThis.location.href;
}
