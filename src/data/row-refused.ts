/** Why one row cannot be used, though the file and the model are fine: the row is left out and counted. */
import { TabtuneError } from '../base/errors';
import type { DataProblem } from './types';

export class RowRefused extends TabtuneError {
  constructor(
    /** Of the problem in the list. */
    readonly problem: string,
    /** Continues "Row 3 …". */
    readonly reason: string,
    /** What to do about it. */
    readonly remedy: string,
  ) {
    super({ code: 'bad_data', message: `The row ${reason}.`, where: 'row', action: remedy });
  }

  /** As an entry of the dataset's problems. */
  inRow(row: number): DataProblem {
    return {
      severity: 'error',
      code: this.problem,
      row,
      message: `Row ${row} ${this.reason}.`,
      action: `It was left out. ${this.remedy}`,
      dropped: true,
    };
  }
}
