export const layers: Record<string, string[]>;
export const packages: { name: RegExp; only: string[] }[];
export function checkImports(root: string): string[];
