import { Fragment, Suspense, useEffect } from 'react';
import { fetchChunks } from '../base/chunks';
import { usePreferences } from '../stores/preferences';
import { useScreen } from '../stores/screen';
import { runActive, useTraining } from '../stores/training';
import { followUpdates } from '../stores/updates';
import { RunButtons } from './components/run/RunButtons';
import { RunCard } from './components/run/RunCard';
import { RunStrip } from './components/run/RunStrip';
import { Brand } from './components/shell/Brand';
import { ChangedInputs } from './components/shell/ChangedInputs';
import { Dialogs } from './components/shell/Dialogs';
import { DropOverlay } from './components/shell/DropOverlay';
import { InterruptedBanner } from './components/shell/InterruptedBanner';
import { LiveStatus } from './components/shell/LiveStatus';
import { Steps } from './components/shell/Steps';
import { NarrowTools, Tools } from './components/shell/Tools';
import { UpdateNotice } from './components/shell/UpdateNotice';
import { useLeaveGuard } from './hooks/useLeaveGuard';
import { useMediaQuery } from './hooks/useMediaQuery';
import { useRoute } from './hooks/useRoute';
import { useShortcuts } from './hooks/useShortcuts';
import { useTheme } from './hooks/useTheme';
import { useTitle } from './hooks/useTitle';
import { shell } from './text/shell';
import { LoadBoundary } from './ui/LoadBoundary';
import { ErrorNotice } from './ui/Notice';
import { Page } from './ui/Page';
import { Tooltips } from './ui/Tooltips';
import { pageNamed } from './util/pages';
import { arriveAt, type Route } from './util/route';

function Messages() {
  const error = useScreen((state) => state.error);
  const showError = useScreen((state) => state.showError);
  return (
    <div className="mx-auto flex w-full max-w-[68rem] flex-col gap-3 px-4 pt-4 empty:hidden sm:px-6 lg:px-8">
      {error && <ErrorNotice error={error} onDismiss={() => showError(null)} />}
      <InterruptedBanner />
      <UpdateNotice />
    </div>
  );
}

/** Next to the page, so that its effect runs when the page has been drawn. */
function Arrival({ route }: { route: Route }) {
  useEffect(() => arriveAt(route), [route]);
  return null;
}

/** The open page. Until its chunk is here, its heading stands alone. */
function OpenPage({ route }: { route: Route }) {
  const { name, Screen } = pageNamed(route.page);
  return (
    <LoadBoundary key={name}>
      <Suspense fallback={<Page name={name} />}>
        <Screen />
        <Arrival route={route} />
      </Suspense>
    </LoadBoundary>
  );
}

/**
 * The window: rail, page and run card; on narrow screens a top bar, the page, and two bars below it. A low window, as at 400 %
 * zoom, has room for one bar, which stays at the top.
 */
export function App() {
  useTheme();
  useTitle();
  useShortcuts();
  useLeaveGuard(useTraining(runActive));
  useEffect(() => {
    let stop = () => {};
    let open = true;
    const timer = setTimeout(async () => {
      // One after the other: what both ask for at once would be sent twice.
      await fetchChunks();
      if (open) stop = followUpdates();
    }, 2000);
    // What could not be fetched while the network was away.
    const fetchAgain = () => void fetchChunks();
    window.addEventListener('online', fetchAgain);
    return () => {
      open = false;
      clearTimeout(timer);
      stop();
      window.removeEventListener('online', fetchAgain);
    };
  }, []);
  // Sizes are written anew everywhere.
  const units = usePreferences((state) => state.units);
  const route = useRoute();
  const withRail = useMediaQuery('(min-width: 48rem)');
  const withCard = useMediaQuery('(min-width: 74rem)');
  const tall = useMediaQuery('(min-height: 34rem)');
  const main = (
    <main className="min-w-0 flex-1">
      <Messages />
      <OpenPage route={route} />
    </main>
  );
  return (
    <Fragment key={units}>
      <button
        type="button"
        onClick={() => document.querySelector<HTMLElement>('main h1')?.focus()}
        className="sr-only rounded-md bg-accent p-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50"
      >
        {shell.skip}
      </button>
      <LiveStatus />
      {withRail ? (
        <div className="flex min-h-dvh items-stretch">
          <div className="sticky top-0 flex h-dvh w-64 shrink-0 flex-col gap-6 overflow-y-auto border-r p-3 pt-4">
            <header className="px-3">
              <Brand />
            </header>
            <Steps open={route.page} narrow={false} />
            <footer className="mt-auto">
              <Tools />
            </footer>
          </div>
          <div className="flex min-w-0 flex-1 flex-col">
            {main}
            {!withCard && (
              <div className="sticky bottom-0 z-20 border-t bg-canvas">
                <RunStrip />
              </div>
            )}
          </div>
          {withCard && (
            <aside
              aria-label={shell.run}
              className="sticky top-0 h-dvh w-80 shrink-0 overflow-y-auto border-l bg-canvas px-5 pt-6"
            >
              <RunCard />
            </aside>
          )}
        </div>
      ) : (
        <div className="flex min-h-dvh flex-col">
          <header className="flex items-center justify-between border-b px-4 py-2">
            <Brand />
            <NarrowTools />
          </header>
          {/* The page keeps its place among its siblings: a phone's keyboard makes the window low while one types in it. */}
          {!tall && (
            <>
              <div className="sticky top-0 z-20 flex items-center gap-1 border-b bg-canvas pr-2">
                <div className="min-w-0 flex-1">
                  <Steps open={route.page} narrow short />
                </div>
                {/* Icons with names: text of no size is still read out. */}
                <div className="flex gap-1 [&_button]:min-w-10 [&_button]:gap-0 [&_button]:px-0 [&_button]:text-[0px]">
                  <RunButtons size="normal" />
                </div>
              </div>
              <div className="border-b">
                <RunStrip buttons={false} />
              </div>
            </>
          )}
          {main}
          {tall && (
            <div className="sticky bottom-0 z-20 border-t bg-canvas">
              <RunStrip />
              <div className="border-t">
                <Steps open={route.page} narrow />
              </div>
            </div>
          )}
        </div>
      )}
      <Dialogs />
      <ChangedInputs />
      <DropOverlay />
      <Tooltips />
    </Fragment>
  );
}
