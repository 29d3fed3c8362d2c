/** The data worker in a Node thread, which has no Web Locks. Bundled by strangers.test.ts. */
import { parentPort } from 'node:worker_threads';
import { type ServePort, serve } from '../../../src/rpc/rpc';
import { createDataApi } from '../../../src/workers/data/service';

serve(createDataApi(), { port: parentPort as unknown as ServePort, locks: null });
