/**
 * The data worker: strangers' bytes (dataset files, chat templates, tokenizer rules) are read here and nowhere else, so
 * that one that never ends costs this worker and not the page. It holds nothing that cannot be made again.
 */
import { createDataApi } from '../../data/data-api';
import { serve } from '../../rpc/rpc';
import { editRow } from './edit-dataset';

serve(Object.assign(createDataApi(), { editRow }), { moves: ['editRow'] });
