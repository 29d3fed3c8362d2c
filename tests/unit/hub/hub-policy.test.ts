import { expect, it } from 'vitest';
import { HUB } from '../../../src/hub/hub-id';
import { hubSources, reaches } from '../../../src/hub/hub-policy';

const bucket = 'https://hf-hub-lfs-us-east-1';
const storage = [
  ...['https://*.huggingface.co', 'https://hf.co', 'https://*.hf.co'],
  ...['s3-accelerate', 's3.us-east-1', 's3'].map((host) => `${bucket}.${host}.amazonaws.com`),
];

it('lets the page ask the Hub and the hosts that it redirects downloads to', () => {
  expect(hubSources(HUB)).toEqual([HUB, ...storage]);
});

it('lets it ask a mirror at every port and below its name, and not the Hub itself', () => {
  const sources = hubSources('https://hub.example.com/mirror');
  expect(sources).toEqual(['https://hub.example.com:*', 'https://*.hub.example.com:*', ...storage]);
  expect(sources).not.toContain(HUB);
});

it('names no hosts below a number, and only the protocol for what a policy cannot name', () => {
  expect(hubSources('http://127.0.0.1:8080')[0]).toBe('http://127.0.0.1:*');
  expect(hubSources('http://127.0.0.1:8080')).toHaveLength(1 + storage.length);
  expect(hubSources('http://[::1]:8080')[0]).toBe('http:');
});

it('knows which addresses the browser lets through: no bucket but the Hub’s, at no other port', () => {
  for (const address of [
    `${HUB}/api/models`,
    'https://cas-bridge.xethub.hf.co/x?y',
    'https://hf-hub-lfs-us-east-1.s3-accelerate.amazonaws.com/repos/a?X-Amz-Signature=b',
  ]) {
    expect(reaches(address, HUB), address).toBe(true);
  }
  for (const address of [
    'https://mine.s3-accelerate.amazonaws.com/x',
    'https://s3.amazonaws.com/hf-hub-lfs-us-east-1/x',
    'https://x.hf-hub-lfs-us-east-1.s3.amazonaws.com/x',
    'http://hf-hub-lfs-us-east-1.s3.amazonaws.com/x',
    'https://hf-hub-lfs-us-east-1.s3.amazonaws.com:444/x',
    'https://hf.co.evil.example/x',
  ]) {
    expect(reaches(address, HUB), address).toBe(false);
  }
  expect(reaches('http://127.0.0.1:9999/lfs/x', 'http://127.0.0.1:8080')).toBe(true);
  expect(reaches('http://127.0.0.2:9999/lfs/x', 'http://127.0.0.1:8080')).toBe(false);
});
