export interface ScriptedServer {
  origin: string;
  real: string;
  scripted: string;
  close(): Promise<void>;
}
export function serveScripted(): Promise<ScriptedServer>;
