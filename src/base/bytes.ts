/** Sizes in bytes for people. One place, so that a size looks the same in a message as on the screen. */
const sizes = {
  decimal: { step: 1000, units: ['B', 'kB', 'MB', 'GB', 'TB'] },
  binary: { step: 1024, units: ['B', 'KiB', 'MiB', 'GiB', 'TiB'] },
};

export type ByteUnits = keyof typeof sizes;

/** In powers of 1000, as disks and downloads are labelled, unless a person has chosen 1024. */
export function formatBytes(value: number, system: ByteUnits = 'decimal'): string {
  const { step, units } = sizes[system];
  let unit = 0;
  let rest = value;
  while (rest >= step - 0.5 && unit < units.length - 1) {
    rest /= step;
    unit++;
  }
  const digits = unit === 0 || rest >= 100 ? 0 : 1;
  return `${rest.toFixed(digits)} ${units[unit]}`;
}
