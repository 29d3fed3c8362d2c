// npm test [-- SUITE…] [-- ARGUMENTS]: every suite, or the named ones; what follows goes to the suite's own runner.
//   npm test                                      all
//   npm test -- unit gpu                          two of them
//   npm test -- gpu tests/gpu/kernels             one file or folder
//   npm test -- gpu-node                          the GPU tests on a second driver, all of them; `npm test` runs the most telling
// The last line is `N passed, N failed`; the exit code is 1 when anything failed or a suite ran no test at all.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findBrowser } from './browser.mjs';
import { dist, ensureBuilt, root } from './build.mjs';
import { run, runTool } from './child.mjs';
import { reportFirstLoad } from './first-load.mjs';
import { findDriver } from './llvmpipe.mjs';
import { reportPage } from './page-export/size.mjs';

process.chdir(root);
const reports = mkdtempSync(path.join(tmpdir(), 'tabtune-test-'));
process.once('exit', () => rmSync(reports, { recursive: true, force: true }));
const minutes = 60_000;

function readReport(name) {
  try {
    return JSON.parse(readFileSync(path.join(reports, `${name}.json`), 'utf8'));
  } catch {
    return undefined; // the runner ended before it could write one
  }
}

/** One line that says what failed and with which words, a compared list's lines too, so that the end of a log is enough to know. */
const describeFailure = (suite, name, message = '') => {
  // Without the colours that runners put into their messages.
  const words = message.replace(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '');
  return `failed: ${suite}: ${name}: ${words.split('\n').slice(0, 14).join(' | ').slice(0, 1000)}`;
};

async function vitest(project, timeoutMs, args, env = {}, name = project) {
  const code = await runTool(
    'vitest/vitest.mjs',
    [
      ...['run', '--project', project, '--reporter=default', '--reporter=json'],
      ...[`--outputFile.json=${path.join(reports, `${name}.json`)}`, ...args],
    ],
    { timeoutMs, env },
  );
  const report = readReport(name);
  if (!report) return { code, passed: 0, failed: 0, skipped: 0 };
  const skipped = report.numPendingTests + report.numTodoTests;
  // A file that does not even load has no failed test to show for it.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  const named = ({ name, message, assertionResults }) => {
    const file = path.relative(root, name);
    if (broken.some((result) => result.name === name)) return [describeFailure(project, file, message)];
    return assertionResults
      .filter((test) => test.status === 'failed')
      .map((test) => describeFailure(project, `${file}: ${test.fullName}`, test.failureMessages?.[0]));
  };
  return {
    ...{ code, passed: report.numPassedTests, failed: report.numFailedTests + broken.length, skipped },
    failures: report.testResults.flatMap(named),
  };
}

/**
 * The GPU tests in a browser. All of them run in two at once, half of the files in each: most of the time goes by in compiling shaders, which
 * uses one core of a browser's one GPU process.
 */
async function gpuInBrowsers(args) {
  const limit = 60 * minutes;
  if (args.length > 0) return vitest('gpu', limit, args);
  const halves = await Promise.all([1, 2].map((i) => vitest('gpu', limit, [`--shard=${i}/2`], {}, `gpu-${i}`)));
  const sum = (key) => halves.reduce((total, half) => total + half[key], 0);
  return {
    // A half that ran nothing is a failure, which the other's numbers would hide.
    code: Math.max(...halves.map(({ code, passed, failed }) => (passed + failed === 0 ? 1 : code))),
    ...{ passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') },
    failures: halves.flatMap(({ failures = [] }) => failures),
  };
}

/** The GPU tests in Node: all, the named ones, or what a run of every suite has time for. */
async function gpuInNode(args) {
  let env;
  try {
    env = findDriver();
  } catch (error) {
    console.error(error.message);
    return { code: 1, failures: [`failed: gpu-node: ${error.message}`] };
  }
  const { always } = await import('../tests/gpu-node/files.mjs');
  return vitest('gpu-node', (named.length === 0 ? 60 : 150) * minutes, named.length === 0 ? always : args, env);
}

/** Every test of a Playwright report that did not end as it should, with its suites' titles. */
function failedSpecs(suites, titles = []) {
  return suites.flatMap(({ title, specs = [], suites: inner = [] }) => [
    ...specs
      .filter((spec) => !spec.ok)
      .map((spec) => {
        const results = spec.tests.flatMap((test) => test.results);
        return describeFailure('e2e', [...titles, title, spec.title].join(': '), results.at(-1)?.error?.message);
      }),
    ...failedSpecs(inner, [...titles, title]),
  ]);
}

/** Playwright looks for an argument in the whole path: in a folder called `train`, the word would name every spec. */
const specOf = (arg) => (/^[\w.-]+$/.test(arg) && !arg.startsWith('-') ? `e2e[/\\\\][^/\\\\]*${arg}` : arg);

/** What measures time comes first, then everything else, two files at once (playwright.config.ts). */
async function playwright(args) {
  const sum = { code: 0, passed: 0, failed: 0, skipped: 0, failures: [] };
  for (const project of ['alone', 'beside']) {
    const name = `e2e-${project}`;
    const words = ['test', '--project', project, '--pass-with-no-tests', ...args.map(specOf)];
    const code = await runTool('@playwright/test/cli.js', words, {
      timeoutMs: 120 * minutes,
      env: { TABTUNE_E2E_JSON: path.join(reports, `${name}.json`) },
    });
    sum.code = Math.max(sum.code, code);
    const report = readReport(name);
    if (!report?.stats) continue;
    const { expected, unexpected, flaky, skipped } = report.stats;
    sum.passed += expected;
    sum.failed += unexpected + flaky;
    sum.skipped += skipped;
    sum.failures.push(...failedSpecs(report.suites));
  }
  return sum;
}

/** A check without tests to count: it is one failure, or nothing. */
const check = async (steps) => {
  for (const step of steps) {
    const code = await step();
    if (code !== 0) return { code };
  }
  return { code: 0 };
};

const suites = {
  lint: () =>
    check([
      () => run(process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'check', '.']),
      () => run(process.execPath, ['scripts/lint/index.mjs']),
    ]),
  types: () => check([() => runTool('typescript/bin/tsc', ['--noEmit', '-p', '.'], { timeoutMs: 5 * minutes })]),
  unit: (args) => vitest('unit', 30 * minutes, args),
  gpu: gpuInBrowsers,
  'gpu-node': gpuInNode,
  build: () =>
    check([
      () =>
        ensureBuilt({ log: console.log }).then(
          () => 0,
          (error) => {
            console.error(error.message ?? error);
            return 1;
          },
        ),
    ]),
  size: () => check([() => (reportFirstLoad(dist) ? 0 : 1), () => (reportPage(dist) ? 0 : 1)]),
  e2e: (args) => playwright(args),
};

const given = process.argv.slice(2);
const firstOther = given.findIndex((word) => !Object.hasOwn(suites, word));
const named = given.slice(0, firstOther === -1 ? given.length : firstOther);
const rest = given.slice(named.length);
if (rest.length > 0 && named.length !== 1) {
  console.error(
    `${rest[0]}: no such suite. Suites: ${Object.keys(suites).join(', ')}. Arguments need one suite before them.`,
  );
  process.exit(1);
}
// Two suites are of the built app.
const chosen = Object.keys(suites).filter(
  (name) =>
    named.length === 0 ||
    named.includes(name) ||
    (name === 'build' && (named.includes('size') || named.includes('e2e'))),
);

if (chosen.includes('gpu') || chosen.includes('e2e')) {
  try {
    process.env.CHROME_PATH = await findBrowser();
  } catch (error) {
    console.error(error.message);
    console.log('0 passed, 1 failed');
    process.exit(1);
  }
}

const rows = [];
for (const name of chosen) {
  console.log(`\n── ${name} ${'─'.repeat(Math.max(0, 76 - name.length))}`);
  const started = Date.now();
  const { code, passed, failed = 0, skipped = 0, failures = [] } = await suites[name](rest);
  const counts = passed !== undefined;
  let why = '';
  if (code !== 0 && failed === 0) why = 'the suite itself failed';
  else if (counts && passed + failed === 0) why = 'ran no test';
  rows.push({
    ...{ suite: name, passed: passed ?? 0, skipped, counts, why, failures },
    failed: why ? failed + 1 : failed,
    seconds: (Date.now() - started) / 1000,
  });
}

console.log(
  `\n${'suite'.padEnd(8)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'skipped'.padStart(9)}${'seconds'.padStart(9)}`,
);
for (const { suite, passed, failed, skipped, counts, seconds, why } of rows) {
  const numbers = [counts ? passed : failed ? '' : 'ok', failed, counts ? skipped : ''];
  const cells = [8, 8, 9].map((width, i) => String(numbers[i]).padStart(width)).join('');
  console.log(`${suite.padEnd(8)}${cells}${seconds.toFixed(1).padStart(9)}${why ? `  ${why}` : ''}`);
}
const lines = rows.flatMap(({ failures }) => failures);
if (lines.length > 0) console.log(`\n${lines.join('\n')}`);
const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = sum('failed') > 0 ? 1 : 0;
