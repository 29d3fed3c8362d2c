/** A folder of files that exists for one test. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'vitest';

/** Call at the top of a test file; `root` is a new folder with an empty `src` for each test. */
export function temporaryTree() {
  const tree = {
    root: '',
    write(file: string, text: string) {
      mkdirSync(path.dirname(path.join(tree.root, file)), { recursive: true });
      writeFileSync(path.join(tree.root, file), text);
    },
  };
  beforeEach(() => {
    tree.root = mkdtempSync(path.join(tmpdir(), 'tabtune-lint-'));
    mkdirSync(path.join(tree.root, 'src'));
  });
  afterEach(() => rmSync(tree.root, { recursive: true, force: true }));
  return tree;
}
