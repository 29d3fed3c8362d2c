/** For the session, which sees nothing of the engine but its workers. */
export type { ShownRollout } from '../../engine/objectives/objective';
