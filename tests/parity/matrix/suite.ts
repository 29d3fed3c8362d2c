/** Trains the cells of some families, one test each; shared by both backends. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { disposeInputs } from '../../../src/engine/kernels/inputs';
import { type Cell, nameOf } from './cells';
import { type OpenFamily, openForCells, trainCell } from './train';

/** `setUp` prepares the backend for all of these tests. */
export function matrixTraining(backend: string, cells: readonly Cell[], setUp: () => Promise<void>): void {
  const families = [...new Set(cells.map(({ family }) => family))];
  describe.each(families)(`${backend}: $name`, (family) => {
    let open: OpenFamily;
    beforeAll(async () => {
      await setUp();
      open = await openForCells(family);
    });
    afterAll(() => {
      open.base.dispose();
      disposeInputs();
    });

    const own = cells.filter((cell) => cell.family === family);
    test.each(own.map((cell) => [nameOf(cell), cell] as const))('%s', async (_name, cell) => {
      await trainCell(open, cell);
    });
  });
}
