// Nothing that can hold text is made half transparent: its contrast falls below 4.5:1, if only for the moment in which something is worked out.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Drawings may be faint; wholly hidden and wholly shown are no question of contrast. */
const faint = /\bopacity-(?!0\b|100\b)[\w.[\]%]+/;

export function checkDimmed(root) {
  return readdirSync(path.join(root, 'src/app'), { recursive: true })
    .filter((file) => file.endsWith('.tsx'))
    .flatMap((file) =>
      readFileSync(path.join(root, 'src/app', file), 'utf8')
        .split('\n')
        .flatMap((line, at) =>
          faint.test(line) && !line.includes('<svg')
            ? [
                `src/app/${file}:${at + 1}: ${line.match(faint)[0]} makes text hard to read; show a spinner, or use text-muted`,
              ]
            : [],
        ),
    );
}
