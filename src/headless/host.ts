/** What the program needs of where it runs: a page of a browser (main.ts), or Node (node.ts). */
import type { SessionParts } from '../session/session';
import type { Message } from './protocol';

export interface Host {
  tell(message: Message): Promise<void>;
  /** The files that the script has handed over for `model`, `dataset`, `mix`, `base-text`, `adapter` or `reward-model`. */
  files(input: string): File[];
  /** Where the session's parts run. */
  parts: SessionParts & Required<Pick<SessionParts, 'connectEngine'>>;
  /** From now on, only our own server and this Hub may be asked. */
  restrict(endpoint: string): void;
}

let current: Host | null = null;

/** Comes before every call of the program. */
export function setHost(host: Host): void {
  current = host;
}

export function host(): Host {
  if (!current) throw new Error('The program has no host yet.');
  return current;
}

export const tell = (message: Message): Promise<void> => host().tell(message);
