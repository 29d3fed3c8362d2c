export interface Served {
  address: string;
  port: number;
  close(): Promise<void>;
}
export function serve(folder: string, options?: { port?: number; strictPort?: boolean }): Promise<Served>;
export function parsePort(text: string): number;
