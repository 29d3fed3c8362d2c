import { Tooltip } from '@base-ui/react/tooltip';
import { useEffect } from 'react';
import { fetchChunks } from '../base/chunks';
import { useScreen } from '../stores/screen';
import { useTraining } from '../stores/training';
import { RunCard } from './components/run/RunCard';
import { RunStrip } from './components/run/RunStrip';
import { Brand } from './components/shell/Brand';
import { Dialogs } from './components/shell/Dialogs';
import { DropOverlay } from './components/shell/DropOverlay';
import { InterruptedBanner } from './components/shell/InterruptedBanner';
import { LiveStatus } from './components/shell/LiveStatus';
import { Steps } from './components/shell/Steps';
import { Tools, ToolsMenu } from './components/shell/Tools';
import { useLeaveGuard } from './hooks/useLeaveGuard';
import { useMediaQuery } from './hooks/useMediaQuery';
import { useRoute } from './hooks/useRoute';
import { useShortcuts } from './hooks/useShortcuts';
import { useTheme } from './hooks/useTheme';
import { ComparePage } from './pages/ComparePage';
import { DataPage } from './pages/DataPage';
import { ModelPage } from './pages/ModelPage';
import { RecipePage } from './pages/RecipePage';
import { TrainPage } from './pages/TrainPage';
import { ErrorNotice } from './ui/Notice';
import { fetchAhead } from './util/ahead';

const screens = {
  model: ModelPage,
  data: DataPage,
  recipe: RecipePage,
  train: TrainPage,
  compare: ComparePage,
};

function Messages() {
  const { error, showError } = useScreen();
  return (
    <div className="mx-auto flex w-full max-w-[68rem] flex-col gap-3 px-4 pt-4 empty:hidden sm:px-6 lg:px-8">
      {error && <ErrorNotice error={error} onDismiss={() => showError(null)} />}
      <InterruptedBanner />
    </div>
  );
}

/** The window: rail, open page and run card; on narrow screens a top bar, the page, and two bars below. */
export function App() {
  useTheme();
  useShortcuts();
  useLeaveGuard(useTraining((state) => state.phase !== 'idle'));
  useEffect(() => {
    const timer = setTimeout(() => {
      fetchAhead();
      fetchChunks();
    }, 2000);
    return () => clearTimeout(timer);
  }, []);
  const { page } = useRoute();
  const withRail = useMediaQuery('(min-width: 48rem)');
  const withCard = useMediaQuery('(min-width: 74rem)');
  const Screen = screens[page];
  const main = (
    <main className="min-w-0 flex-1">
      <Messages />
      <Screen />
    </main>
  );
  return (
    <Tooltip.Provider>
      <button
        type="button"
        onClick={() => document.querySelector<HTMLElement>('main h1')?.focus()}
        className="sr-only rounded-md bg-accent p-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50"
      >
        Skip to the open page
      </button>
      <LiveStatus />
      {withRail ? (
        <div className="flex min-h-dvh items-stretch">
          <div className="sticky top-0 flex h-dvh w-64 shrink-0 flex-col gap-6 overflow-y-auto border-r p-3 pt-4">
            <header className="px-3">
              <Brand />
            </header>
            <Steps open={page} narrow={false} />
            <footer className="mt-auto">
              <Tools />
            </footer>
          </div>
          <div className="flex min-w-0 flex-1 flex-col">
            {main}
            {!withCard && (
              <div className="border-t bg-canvas tall:sticky tall:bottom-0 tall:z-20">
                <RunStrip />
              </div>
            )}
          </div>
          {withCard && (
            <aside
              aria-label="Run"
              className="sticky top-0 h-dvh w-80 shrink-0 overflow-y-auto border-l bg-canvas px-5 py-6"
            >
              <RunCard />
            </aside>
          )}
        </div>
      ) : (
        <div className="flex min-h-dvh flex-col">
          <header className="flex items-center justify-between border-b px-4 py-2">
            <Brand />
            <ToolsMenu />
          </header>
          {main}
          <div className="border-t bg-canvas tall:sticky tall:bottom-0 tall:z-20">
            <RunStrip />
            <div className="border-t">
              <Steps open={page} narrow />
            </div>
          </div>
        </div>
      )}
      <Dialogs />
      <DropOverlay />
    </Tooltip.Provider>
  );
}
