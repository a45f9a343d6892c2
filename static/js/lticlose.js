// LTI Dynamic Registration: the platform waits for this message to close its window.
(window.opener || window.parent).postMessage({ subject: "org.imsglobal.lti.close" }, "*");
