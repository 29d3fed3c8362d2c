const settings = (count: number) => (count === 1 ? '1 setting' : `${count} settings`);

export const importText = {
  title: (from: string) => `Opened from ${from}`,
  counts: (file: string, taken: number, left: number) =>
    `${file}: ${settings(taken)} taken, ${left} left out. Nothing has been changed yet.`,
  changes: 'What it would change',
  caption: 'What these settings would change',
  nothing: 'Your recipe has these settings already.',
  assumed: (from: string) => `What the file leaves to ${from} is as ${from} would have it: `,
  left: (count: number) => `Left out (${count})`,
  why: 'Why',
  taken: (count: number) => `Taken (${count})`,
  setting: 'Setting',
  becomes: 'Field',
  use: 'Use these settings',
};
