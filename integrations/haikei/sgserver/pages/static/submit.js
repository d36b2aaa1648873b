"use strict";
document.getElementById("now").submit();
