import { useLayoutEffect } from 'react';
import { usePreferences } from '../../stores/preferences';
import { useMediaQuery } from './useMediaQuery';

/** Sets the chosen theme and motion on the document; by default the stylesheet follows the system. */
export function useTheme(): void {
  const theme = usePreferences((state) => state.theme);
  useLayoutEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
  const motion = usePreferences((state) => state.motion);
  useLayoutEffect(() => {
    document.documentElement.dataset.motion = motion;
  }, [motion]);
}

/** The theme now in effect. */
export function useSeenTheme(): 'light' | 'dark' {
  const theme = usePreferences((state) => state.theme);
  const systemDark = useMediaQuery('(prefers-color-scheme: dark)');
  return theme === 'system' ? (systemDark ? 'dark' : 'light') : theme;
}
