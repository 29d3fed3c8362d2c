/** The headless command as a child process, in a folder of its own, with the built app. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from '@playwright/test';
import { PATIENCE } from './studio';

export interface Ended {
  code: number | null;
  stdout: string;
  /** Lines of stderr, without progress lines. */
  stderr: string[];
}

const PROGRESS = /^(Building the app|Built in|reading the dataset|(down)?loading the model: |verifying |step \d+ of )/;

export class Bench {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'tabtune-e2e-'));
  /** Where the commands put their temporary files. A short path, as a browser's sockets need. */
  readonly temporary = mkdtempSync(path.join(tmpdir(), 'tt-'));
  private readonly children = new Set<ChildProcess>();

  path(...names: string[]): string {
    return path.join(this.folder, ...names);
  }

  /** Writes an input file. Anything but text and bytes is written as JSON. */
  write(name: string, content: unknown): string {
    const file = this.path(name);
    writeFileSync(
      file,
      typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content),
    );
    return file;
  }

  list(...names: string[]): string[] {
    return readdirSync(this.path(...names)).sort();
  }

  /** `headless RECIPE --out OUT`; killed, with code null, when it hangs. */
  run(recipe: string, out: string, more: { args?: string[]; env?: object; patience?: number } = {}): Promise<Ended> {
    return this.start(recipe, out, more).ended;
  }

  /** The same, for a test that does something to it on the way. */
  start(
    recipe: string,
    out: string,
    {
      args = [],
      env = {},
      npm = false,
      patience = PATIENCE,
    }: { args?: string[]; env?: object; npm?: boolean; patience?: number } = {},
  ) {
    const own = [this.path(recipe), '--out', this.path(out), '--device', 'auto', ...args];
    const [command, ...words] = npm
      ? ['npm', 'run', '--silent', 'headless', '--', ...own]
      : [process.execPath, 'scripts/headless.mjs', ...own];
    const child = spawn(command!, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: patience,
      // Temporary files in a folder that the test can look into.
      env: { ...process.env, TMPDIR: this.temporary, ...env },
    });
    this.children.add(child);
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (piece: string) => {
        text[name] += piece;
      });
    }
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        this.children.delete(child);
        const stderr = text.stderr.split('\n').filter((line) => line !== '' && !PROGRESS.test(line));
        resolve({ code, stdout: text.stdout, stderr });
      });
    });
    return { child, ended };
  }

  /**
   * Waits until no process has to do with the folder any more: the browser of a command that was killed ends a little
   * after it, and writes into its profile until then. Where there is no /proc to look into, nothing is waited for.
   */
  async untilLeft(): Promise<void> {
    if (process.platform === 'linux') await expect.poll(() => this.processes().length).toBe(0);
  }

  /** The ids of the processes that have to do with the folder, by their command lines. */
  processes(): number[] {
    return readdirSync('/proc')
      .filter((name) => {
        try {
          return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(this.folder);
        } catch {
          return false; // it has ended meanwhile
        }
      })
      .map(Number);
  }

  /** What a failed test left at work goes too. */
  async remove(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    await this.untilLeft();
    for (const folder of [this.folder, this.temporary]) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
