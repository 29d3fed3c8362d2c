export const cacheHost: string;
export function cacheFolder(
  given?: string | null,
  system?: { env?: Record<string, string | undefined>; platform?: string; home?: string },
): string;
export interface Profile {
  profile: string;
  first: boolean;
  release(): void;
}
export function takeProfile(folder: string): Profile;
