/** Runs the headless command as a child process in a temporary folder, with the built app. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Ended {
  code: number | null;
  stdout: string;
  /** Lines of stderr, without progress lines. */
  stderr: string[];
}

const PROGRESS = /^(Building the app|Built in|reading the dataset|(down)?loading the model: |verifying |step \d+ of )/;

export class Bench {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'tabtune-e2e-'));

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

  /** Runs `headless RECIPE --out OUT`. It is killed, with code null, if it hangs. */
  run(recipe: string, out: string, patience = 60_000, more: { args?: string[]; env?: object } = {}): Promise<Ended> {
    const own = ['scripts/headless.mjs', this.path(recipe), '--out', this.path(out), '--device', 'auto'];
    const child = spawn(process.execPath, [...own, ...(more.args ?? [])], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: patience,
      env: { ...process.env, ...more.env },
    });
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (piece: string) => {
        text[name] += piece;
      });
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        const stderr = text.stderr.split('\n').filter((line) => line !== '' && !PROGRESS.test(line));
        resolve({ code, stdout: text.stdout, stderr });
      });
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
