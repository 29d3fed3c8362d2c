/** The worker of the person's rewards: an interpreter, and a policy under which not even the interpreter could ask anybody anything. */
import '../closed';
import variant from '@jitl/quickjs-wasmfile-release-sync';
import wasmLocation from '@jitl/quickjs-wasmfile-release-sync/wasm?url';
import { newQuickJSWASMModuleFromVariant, newVariant } from 'quickjs-emscripten-core';
import { serve } from '../../rpc/rpc';
import { createRewardApi } from './service';

serve(createRewardApi(() => newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmLocation }))));
