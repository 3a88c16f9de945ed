/** What the rest of the house may use of the response: blocking, the outbox, and the door to the network. */
import { BlockLiveResolver } from './block-live';
import { BlockMutations } from './block-mutations';
import {
  BlockImpactFleetResolver,
  BlockImpactSimResolver,
  BlockOrderResolver,
  BlockRequestResolver,
  SimBlockResolver,
} from './block-queries';

export { blockHandlers } from './block-handlers';
export { NetworkConnector } from './connector';
export { CancelMovedBlocks } from './cancel-moved-blocks';
export { OutboxWorker } from './outbox-worker';
export { ResponseRetention } from './response-retention';
export { SimulatedConnector } from './simulated-connector';

export const responseResolvers = [
  BlockRequestResolver,
  BlockMutations,
  BlockLiveResolver,
  SimBlockResolver,
  BlockOrderResolver,
  BlockImpactSimResolver,
  BlockImpactFleetResolver,
] as const;
