// LTI Deep Linking: what was chosen goes back to the platform at once; the button is for browsers that run no script.
document.querySelector("form[data-send-at-once]").requestSubmit();
