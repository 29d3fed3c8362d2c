/** What TRL's trainers without a reference share. */
import collate from '../python/collate_concatenated.py?raw';
import ownFigures from '../python/own_figures.py?raw';
import { asTokenisedBatches } from './pairs';

export const concatenatedBatches = () => asTokenisedBatches([collate], [{ name: 'OwnFigures', code: ownFigures }]);
