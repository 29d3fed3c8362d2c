/** WGSL for what becomes of a thread's sums: written out for each, or as one loop over an array of them. */
const count = (n: number) => Array.from({ length: n }, (_, i) => i);

export interface Sums {
  rows: number;
  columns: number;
  type: string;
  /** The variable that holds the sum of a row and a column. */
  name: (row: number, column: number) => string;
  /** An array that already holds them, row by row. */
  array?: string;
}

export interface Store {
  /** Code for row `i` around that for its columns. */
  row: (i: string, columns: string) => string;
  /** Code for the sum in column `q`. */
  put: (q: string, sum: string, i: string) => string;
}

/** So few are no shorter as a loop. */
const FEW = 4;

export const isLoop = (rows: number, columns: number, rolled: boolean) => rolled && rows * columns > FEW;

/** All sums in a list. */
const namesOf = ({ rows, columns, name }: Sums) => count(rows).map((i) => count(columns).map((q) => name(i, q)));

/** Declares an array of the sums, row by row. */
export const sumsArray = (array: string, sums: Sums) =>
  `  var ${array} = array<${sums.type}, ${sums.rows * sums.columns}>(${namesOf(sums).flat().join(', ')});`;

/**
 * Passes every sum to `put`. `rolled`: as a loop, because a CPU that runs shaders takes longer to compile a branch and a store for each of
 * 64 sums than to compile all the products before them (SwiftShader, blocks of 8×32 with LoRA: 650 of 1,030 ms).
 */
export function storeSums(sums: Sums, rolled: boolean, { row, put }: Store): string {
  const { rows, columns, array = 'sums' } = sums;
  if (!isLoop(rows, columns, rolled)) {
    return namesOf(sums)
      .map((names, i) => row(`${i}u`, names.map((sum, q) => put(`${q}u`, sum, `${i}u`)).join('\n')))
      .join('\n');
  }
  return `  {
${sums.array ? '' : sumsArray(array, sums)}
  for (var i = 0u; i < ${rows}u; i++) {
${row('i', `    for (var q = 0u; q < ${columns}u; q++) {\n${put('q', `${array}[i * ${columns}u + q]`, 'i')}\n    }`)}
  }
  }`;
}

/** The values `names` as an array, where `q` may be counted in a loop; written-out code has the names themselves. */
export function placesOf(names: readonly string[], rolled: boolean) {
  const inLoop = rolled && names.length > 1;
  return {
    declare: inLoop ? `  var places = array<u32, ${names.length}>(${names.join(', ')});` : '',
    at: (q: string) => (/^\d/.test(q) ? names[Number.parseInt(q, 10)]! : inLoop ? `places[${q}]` : names[0]!),
  };
}
