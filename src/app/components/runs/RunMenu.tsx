import { Menu } from '@base-ui/react/menu';
import {
  Copy,
  FileDown,
  MessagesSquare,
  MoreHorizontal,
  Pencil,
  Pin,
  Play,
  RotateCcw,
  Tags,
  Trash2,
} from 'lucide-react';
import { type ReactNode, useRef } from 'react';
import type { MetricsFormat } from '../../../exports/run-metrics';
import type { RunRecord } from '../../../storage/types';
import { useCompare } from '../../../stores/compare';
import { useRecipe } from '../../../stores/recipe';
import { useRunTable } from '../../../stores/run-table';
import { unfinished } from '../../../stores/runs';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { runTableText, runMenuText as text } from '../../text/runs';
import { IconButton } from '../../ui/IconButton';
import { navigate } from '../../util/route';
import { continueRun } from '../../util/runActions';
import { saveMetrics } from './reuse';

const formats: MetricsFormat[] = ['csv', 'jsonl', 'trainer_state'];

interface Props {
  run: RunRecord;
  tabIndex: number;
  onRename: () => void;
  onOpen: () => void;
  onDelete: () => void;
  onLabels: () => void;
  onUse: (copy: boolean) => void;
}

/** All that can be done with a run. */
export function RunMenu(props: Props) {
  const { run, tabIndex } = props;
  /** The name's own field takes the focus. */
  const renames = useRef(false);
  return (
    <Menu.Root
      onOpenChange={(open) => {
        if (open) renames.current = false;
      }}
    >
      <Menu.Trigger
        render={
          <IconButton icon={MoreHorizontal} size="small" tabIndex={tabIndex} label={runTableText.actionsOf(run.name)} />
        }
      />
      <Menu.Portal>
        <Menu.Positioner align="end" sideOffset={4} className="z-30">
          <Menu.Popup
            finalFocus={() => !renames.current}
            className="max-h-[var(--available-height)] min-w-56 max-w-80 overflow-y-auto rounded-lg border bg-raised p-1 text-ink shadow-xl outline-none"
          >
            <Items
              {...props}
              onRename={() => {
                renames.current = true;
                props.onRename();
              }}
            />
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

function Items({ run, onRename, onOpen, onDelete, onLabels, onUse }: Props) {
  const label = useRunTable((state) => state.label);
  const busy = useTraining(runActive) && common.notDuringRun;
  const sameModel = useRecipe((state) => state.recipe.model.source === run.recipe.model.source);
  const learned = run.step > 0 ? (sameModel ? null : text.otherModel) : text.nothingLearned;
  return (
    <>
      <Item
        icon={<Play aria-hidden size={16} />}
        why={busy}
        onClick={unfinished(run) ? () => continueRun(run) : onOpen}
      >
        {unfinished(run) ? common.resume : text.open}
      </Item>
      <Item
        icon={<MessagesSquare aria-hidden size={16} />}
        why={busy || learned}
        onClick={() => {
          void useCompare.getState().openRun(run);
          navigate('compare');
        }}
      >
        {text.compare}
      </Item>
      <Menu.Separator className="my-1 h-px bg-line" />
      <Item icon={<RotateCcw aria-hidden size={16} />} why={busy} onClick={() => onUse(false)}>
        {text.use}
      </Item>
      <Item icon={<Copy aria-hidden size={16} />} why={busy} onClick={() => onUse(true)}>
        {text.duplicate}
      </Item>
      <Menu.Separator className="my-1 h-px bg-line" />
      <Item icon={<Pencil aria-hidden size={16} />} onClick={onRename}>
        {text.rename}
      </Item>
      <Item icon={<Tags aria-hidden size={16} />} onClick={onLabels}>
        {text.labels}
      </Item>
      <Item icon={<Pin aria-hidden size={16} />} onClick={() => void label(run.id, { pinned: !run.pinned })}>
        {run.pinned ? text.unpin : text.pin}
      </Item>
      <Menu.Separator className="my-1 h-px bg-line" />
      {formats.map((format) => (
        <Item key={format} icon={<FileDown aria-hidden size={16} />} onClick={() => void saveMetrics(run, format)}>
          {text.exports[format]}
        </Item>
      ))}
      <Menu.Separator className="my-1 h-px bg-line" />
      <Item icon={<Trash2 aria-hidden size={16} />} why={busy} onClick={onDelete}>
        {text.delete}
      </Item>
    </>
  );
}

/** One that cannot be chosen now stays in the menu and says why. */
function Item({
  icon,
  why,
  onClick,
  children,
}: {
  icon: ReactNode;
  why?: string | false | null;
  onClick: () => void;
  children: ReactNode;
}) {
  return (
    <Menu.Item
      disabled={Boolean(why)}
      onClick={onClick}
      className="flex min-h-9 cursor-pointer items-center gap-2.5 rounded px-2.5 outline-none data-disabled:cursor-not-allowed data-disabled:text-muted data-highlighted:bg-hover"
    >
      {icon}
      <span>
        {children}
        {why && <span className="block text-xs">{why}</span>}
      </span>
    </Menu.Item>
  );
}
