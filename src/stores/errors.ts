import { type ErrorData, TabtuneError } from '../base/errors';

/** Anything thrown, as plain data that a store can hold and the screen can show. */
export function toErrorData(cause: unknown, message: string, action?: string): ErrorData {
  return TabtuneError.from(cause, { code: 'internal', message, action }).toData();
}

export function isCancelled(cause: unknown): boolean {
  return (
    (cause instanceof TabtuneError && cause.code === 'cancelled') ||
    (cause instanceof DOMException && cause.name === 'AbortError')
  );
}
