/* Runs before the first paint: the theme that was chosen in this browser. Classic and tiny, because it blocks. */
(() => {
  try {
    const theme = localStorage.getItem('slipway:theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch (error) {
    /* a browser without storage follows the system */
    void error;
  }
})();
