/**
 * The data worker. Untrusted input (dataset files, chat templates, tokeniser rules) is processed only here, so that
 * input that loops forever costs this worker and not the page. Everything it holds can be recreated.
 */

import '../closed';
import { serve } from '../../rpc/rpc';
import { closedByBrowser } from '../closed';
import { editDataset } from './edit-dataset';
import { readFiles } from './read-files';
import { createDataApi } from './service';

serve(Object.assign(createDataApi(), readFiles, { editDataset, closedByBrowser }), { moves: ['editDataset', 'unzip'] });
