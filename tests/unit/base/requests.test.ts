import { expect, it } from 'vitest';
import { gatherRequests, type RequestNote, requestList, withoutSecrets } from '../../../src/base/requests';

it('shows no password, token or signature of an address, and keeps the rest', () => {
  expect(withoutSecrets('https://me:pw@hub.example/api/models?search=two+words&limit=30')).toBe(
    'https://hub.example/api/models?search=two+words&limit=30',
  );
  const signed = withoutSecrets('https://cas.hf.co/x?X-Amz-Signature=abc&Policy=def&Key-Pair-Id=ghi&token=jkl&part=1');
  for (const secret of ['abc', 'def', 'ghi', 'jkl']) expect(signed).not.toContain(secret);
  expect(signed).toContain('part=1');
});

it('counts what it forgets', () => {
  const note: Omit<RequestNote, 'from'> = {
    ...{ url: 'https://a.example/', method: 'GET', kind: 'fetch', at: 0, sent: 0, received: 1 },
    ...{ local: false, failed: false },
  };
  gatherRequests('page', [note]);
  expect(requestList().notes).toEqual([{ ...note, from: 'page' }]);
  gatherRequests(
    'engine',
    Array.from({ length: 5000 }, () => note),
  );
  expect(requestList().notes).toHaveLength(5000);
  expect(requestList().dropped).toBe(1);
  expect(requestList().notes.every(({ from }) => from === 'engine')).toBe(true);
});
