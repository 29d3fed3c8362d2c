/** Counts checks and prints a line for each. */
export class Report {
  passed = 0;
  failed = 0;

  check(name, ok, text = '') {
    if (ok) this.passed++;
    else this.failed++;
    console.log(`${ok ? 'ok  ' : 'FAIL'}  ${name}${text ? `: ${text}` : ''}`);
    return ok;
  }

  /** Runs one part; if it throws, only that part fails. */
  async part(name, work) {
    const started = Date.now();
    try {
      await work();
    } catch (error) {
      this.check(name, false, String(error?.message ?? error));
      if (process.env.TABTUNE_DEBUG) console.log(error?.stack);
    }
    console.log(`      ${name} took ${((Date.now() - started) / 1000).toFixed(0)} s`);
  }
}
