/** The GraphiQL page and its start-up script, as the browser gets them. */

export const GRAPHIQL_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Simwarden · GraphiQL</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/graphiql/graphiql.css">
    <link rel="stylesheet" href="/graphiql/start.css">
  </head>
  <body>
    <div id="graphiql">Loading…</div>
    <script src="/graphiql/react.js"></script>
    <script src="/graphiql/react-dom.js"></script>
    <script src="/graphiql/graphql-ws.js"></script>
    <script src="/graphiql/graphiql.js"></script>
    <script src="/graphiql/start.js"></script>
  </body>
</html>
`;

export const GRAPHIQL_STYLE = 'html, body, #graphiql { margin: 0; height: 100vh; overflow: hidden; }\n';

/** The key comes from the headers editor, or from the address's fragment (`/#key=…`), which browsers never send to a server. */
export const GRAPHIQL_START = `'use strict';
const fetchers = new Map();
const socketAddress = location.origin.replace(/^http/, 'ws') + '/graphql';

function fetcherFor(authorization) {
  if (!fetchers.has(authorization)) {
    const wsClient = graphqlWs.createClient({ url: socketAddress, connectionParams: { authorization }, retryAttempts: 3 });
    fetchers.set(authorization, GraphiQL.createFetcher({ url: '/graphql', wsClient }));
  }
  return fetchers.get(authorization);
}

function fetcher(request, options) {
  const headers = (options && options.headers) || {};
  return fetcherFor(headers.authorization || headers.Authorization)(request, options);
}

const key = new URLSearchParams(location.hash.slice(1)).get('key');
const query = [
  '# Put your key into the Headers tab below, then choose "Re-fetch GraphQL schema" on the left:',
  '#   { "authorization": "Bearer <key>" }',
  '',
  'query Viewer {',
  '  __typename',
  '}',
  '',
].join('\\n');

ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultQuery: query,
    headers: key ? JSON.stringify({ authorization: 'Bearer ' + key }, null, 2) : undefined,
    defaultHeaders: '{ "authorization": "Bearer " }',
    defaultEditorToolsVisibility: 'headers',
    shouldPersistHeaders: false,
  }),
);
`;
