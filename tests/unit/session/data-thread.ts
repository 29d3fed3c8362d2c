/** The data worker in a Node thread, which has no Web Locks. Bundled by strangers.test.ts. */
import { parentPort } from 'node:worker_threads';
import { createDataApi } from '../../../src/data/data-api';
import { type ServePort, serve } from '../../../src/rpc/rpc';

serve(createDataApi(), { port: parentPort as unknown as ServePort, locks: null });
