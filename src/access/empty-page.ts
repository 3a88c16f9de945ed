/** The list that a caller gets of another's client: exactly as of a missing one. */
import { pageOf, type Connection, type PageArgs } from '../graphql/connection';

export function emptyPage<Node>(page: PageArgs): Connection<Node> {
  return pageOf<never, Node>(
    [],
    page,
    () => [],
    (row) => row,
    () => Promise.resolve(0),
  );
}
