/** Environment variables, and who we are for the audit log. */
import { networkInterfaces, userInfo } from 'node:os';
import type { Environment } from '../core/ports.ts';
import { programFolder } from './program.ts';

type Variables = Readonly<Record<string, string | undefined>>;

const TEXT_MAX = 256;

/** The environment `env`; the actor and the job are GitLab's or GitHub's own words where they run us. */
export function nodeEnvironment(env: Variables): Environment {
  return {
    get: (name) => env[name],
    get actor() {
      return plain(actorOf(env));
    },
    get job() {
      return plain(jobOf(env));
    },
    get runtime() {
      const { node, openssl } = process.versions;
      return { node, openssl: openssl ?? 'none', platform: `${process.platform} ${process.arch}` };
    },
    programFolder: programFolder(),
    networkInterfaces: outerInterfaces,
  };
}

function actorOf(env: Variables): string {
  if (env['GITLAB_CI'] === 'true' && env['GITLAB_USER_LOGIN']) return env['GITLAB_USER_LOGIN'];
  if (env['GITHUB_ACTIONS'] === 'true' && env['GITHUB_ACTOR']) return env['GITHUB_ACTOR'];
  try {
    return userInfo().username;
  } catch {
    // A container may run under an id that has no name.
    return `uid ${String(process.getuid?.() ?? 'unknown')}`;
  }
}

function jobOf(env: Variables): string {
  if (env['GITLAB_CI'] === 'true') return env['CI_JOB_URL'] ?? '';
  if (env['GITHUB_ACTIONS'] !== 'true') return '';
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = env;
  return server && repository && run ? `${server}/${repository}/actions/runs/${run}` : '';
}

function outerInterfaces(): readonly string[] {
  const all = Object.entries(networkInterfaces());
  return all.filter(([, addresses = []]) => addresses.some(({ internal }) => !internal)).map(([name]) => name);
}

function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, TEXT_MAX);
}
