/**
 * What images demand of each other: whether it is met, and in which order to install.
 *
 * @see requirements R3, R4
 */
import { failure } from '../core/errors.ts';
import { compareVersions } from './version-order.ts';

/** An ECU, and the version that it will run. */
export interface EcuState {
  readonly id: string;
  readonly type: string;
  /** Undefined where it is not known. */
  readonly version: string | undefined;
}

/** This version or a later one on one ECU, or on every ECU of a type. */
export interface Demand {
  readonly kind: 'ecu' | 'type';
  readonly name: string;
  readonly version: string;
}

/** Whether `demand` is about the ECU. */
export function concerns(demand: Demand, ecu: Pick<EcuState, 'id' | 'type'>): boolean {
  return demand.name === (demand.kind === 'ecu' ? ecu.id : ecu.type);
}

/** The ECUs that keep `demand` from being met; undefined stands for one that does not exist. */
export function unmet(demand: Demand, ecus: readonly EcuState[]): readonly (EcuState | undefined)[] {
  const concerned = ecus.filter((ecu) => concerns(demand, ecu));
  if (concerned.length === 0) return [undefined];
  return concerned.filter(({ version }) => version === undefined || compareVersions(version, demand.version) < 0);
}

/** Something to install that demands and provides. */
export interface Installable {
  /** Names it in messages. */
  readonly name: string;
  readonly ecus: readonly Pick<EcuState, 'id' | 'type'>[];
  readonly requires: readonly Demand[];
}

/**
 * Indices of `items`, each after all it demands something of; else in the order given.
 *
 * @throws RELEASE_DEPENDENCY_CYCLE
 */
export function installOrder(items: readonly Installable[]): readonly number[] {
  const order: number[] = [];
  const visiting = new Set<number>();
  const visit = (index: number): void => {
    const item = items[index];
    if (item === undefined || order.includes(index)) return;
    if (visiting.has(index)) {
      throw failure(
        'RELEASE_DEPENDENCY_CYCLE',
        `${item.name} demands, over others, that it be installed before itself`,
      );
    }
    visiting.add(index);
    for (const before of providersOf(item, items)) if (before !== index) visit(before);
    visiting.delete(index);
    order.push(index);
  };
  for (const index of items.keys()) visit(index);
  return order;
}

function providersOf(item: Installable, items: readonly Installable[]): readonly number[] {
  return items.flatMap((other, index) => {
    const provides = item.requires.some((demand) => other.ecus.some((ecu) => concerns(demand, ecu)));
    return provides ? [index] : [];
  });
}
