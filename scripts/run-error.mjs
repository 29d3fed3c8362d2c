/** An error for the person: `data` as in src/base/errors.ts. Its message is one line. */
export class RunError extends Error {
  constructor(data) {
    super([data.where ? `${data.where}: ` : '', data.message, data.action ? ` ${data.action}` : ''].join(''));
    this.data = data;
  }
}
export const bad = (code, where, message, action) => new RunError({ code, where, message, action });
