import { useState } from 'react';

/** True from the first time that `wanted` is: what has been opened stays mounted, so that it can close properly. */
export function useEver(wanted: boolean): boolean {
  const [ever, setEver] = useState(wanted);
  if (wanted && !ever) setEver(true);
  return ever || wanted;
}
