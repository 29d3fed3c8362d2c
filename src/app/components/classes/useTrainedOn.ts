import { useEffect, useState } from 'react';
import { sha256OfText } from '../../../base/digest';

/** Whether these lines are those of a run, which its record keeps as a hash; null until that is known. */
export function useTrainedOn(sha256: string | undefined, lines: string): boolean | null {
  const [same, setSame] = useState<boolean | null>(null);
  useEffect(() => {
    let current = true;
    void sha256OfText(lines).then((now) => current && setSame(sha256 === undefined ? null : now === sha256));
    return () => {
      current = false;
    };
  }, [sha256, lines]);
  return same;
}
