/** How every AWS client of a function is set: an answer within seconds or an error, well inside the function's own time. */
export const CLIENT = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 4_000, throwOnRequestTimeout: true },
};
