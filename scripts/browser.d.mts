export const softwareGpuArgs: string[];
export function browserArgs(device?: 'hardware' | 'software'): string[];
export function findBrowser(options?: { install?: boolean; log?: (line: string) => void }): Promise<string>;
