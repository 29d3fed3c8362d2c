/** The worker of the person's rewards as a thread of Node, where the interpreter finds its own file. */
import '../workers/closed';
import variant from '@jitl/quickjs-wasmfile-release-sync';
import { newQuickJSWASMModuleFromVariant } from 'quickjs-emscripten-core';
import { serve } from '../rpc/rpc';
import { createRewardApi } from '../workers/reward/service';

serve(createRewardApi(() => newQuickJSWASMModuleFromVariant(variant)));
